"""The HTTP service: thin routes over the verbs of the practice."""
