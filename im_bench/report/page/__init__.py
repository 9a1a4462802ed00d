"""A result, or a sweep of results, as one page with plots. Everything is in the page: it opens anywhere, offline, and can be sent to somebody."""
