//! Speaks the Azure Resource Manager protocol over HTTP. The only module that knows reqwest.
