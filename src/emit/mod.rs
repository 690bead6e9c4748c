//! Resource graph → deployment templates, parameter files and source map.
