"""What is made with a voice: clones, evaluations, stories."""
