"""The object store behind the service `s3`: keys for each kind of server, and moving between two.

One module for each kind says how an application's key is made there; all else is plain S3.
"""
