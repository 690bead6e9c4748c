//! Formulas that Azure and others published: each is read, passes the type check, and gives the documented result.
