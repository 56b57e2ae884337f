"""Documents of the object store: manifests, their chain, checksums, epochs, carried state."""
