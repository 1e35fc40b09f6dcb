"""The rules of images and registries: names, digests, manifests, ranges, retention and collection."""
