"""The object store in S3 or a server with its protocol (boto3)."""
