"""A persona over HTTP: OpenAI's chat API beside the speech API, and a page to talk to it."""
