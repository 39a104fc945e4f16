"""The VITS network and everything that turns text into sound. Imports nothing else of ours."""
