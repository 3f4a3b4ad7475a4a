"""The domain: images, headers and outcome vectors in, values out; no storage, no orchestration, no user interface."""
