//! Runs the pipeline for a project: loads files through `World`, keeps the results of all stages.
