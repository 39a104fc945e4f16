"""From recordings to batches: reading, checking and preparing clips."""
