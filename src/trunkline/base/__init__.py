"""Ids, source spans, diagnostics, digests and errors: words every floor shares."""
