"""Revisions, one file each; never edited once released."""
