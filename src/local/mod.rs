//! A local endpoint that answers as Azure Resource Manager does. The only module that knows axum and SQLite.
