"""The object store in S3 or what speaks its protocol (boto3)."""
