"""How the flows run unattended: files only, no code.

`prefect.yaml` has the deployments and their triggers, `automations.yaml` the alerts, `compose.yaml` and `Dockerfile` a
whole system in containers, `kubernetes/` a cluster, `starter/` the files that `together-video init` writes. The flows
themselves are in `flows/`. The code that deploys and serves them is in `flows/cli/` and `flows/server/`.
"""
