//! Plan → deployments, followed to the end → Receipt.
