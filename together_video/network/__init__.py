"""How this process reaches other servers: addresses, certificates, proxies, and connections.

The guard that keeps links from others away from private addresses, the hosts that the operator trusts, and the proof
whether a request left this machine.
Nothing here knows the Together API or S3: the API's client is in `api`, boto3's in `blocks`.
"""
