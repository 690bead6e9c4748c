//! The ARM template language: parse, evaluate, expand. Serves `plan`, the local endpoint and foreign templates alike.
