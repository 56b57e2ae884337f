"""Manifests, publishing, bootstrap, verification and retention (I4, I5)."""
