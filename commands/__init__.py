"""The commands, a module for each kind: parse, make one library call, report."""
