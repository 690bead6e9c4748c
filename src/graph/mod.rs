//! Fleet → typed Azure resources and their references, ordered.
