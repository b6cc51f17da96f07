"""How the flows run unattended: `prefect.yaml`, the blocks that it names, container and cluster files."""
