"""The result of a run, and the forms it takes: a summary, JSON, a page, a comparison."""
