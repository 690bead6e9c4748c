//! Facts as data: known resource types and what the standard library says.
