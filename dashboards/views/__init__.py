"""The pages: each is a model that is made of one answer of the API, and the drawing of it."""
