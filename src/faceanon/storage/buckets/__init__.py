"""Pictures in buckets of cloud providers: Amazon S3 and its like, Google, Azure.

Only the modules of this package talk to providers, through `obstore`; Amazon's own
library finds credentials and lists keys, as `stores` and `listing` tell.
"""
