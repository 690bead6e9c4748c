//! The tree-sitter grammar of `.dsvm` as a language for the crate `tree-sitter`, with its queries.

use tree_sitter_language::LanguageFn;

#[expect(unsafe_code, reason = "the parser is generated C")]
unsafe extern "C" {
    fn tree_sitter_dsvm() -> *const ();
}

/// What `tree_sitter::Parser::set_language` takes.
#[expect(unsafe_code, reason = "the function has no arguments and returns the address of a constant")]
pub const LANGUAGE: LanguageFn = unsafe { LanguageFn::from_raw(tree_sitter_dsvm) };

/// Colours, in the names that tree-sitter itself, Neovim and Helix share.
pub const HIGHLIGHTS_QUERY: &str = include_str!("../../queries/highlights.scm");
/// Other languages inside `.dsvm`.
pub const INJECTIONS_QUERY: &str = include_str!("../../queries/injections.scm");
/// Scopes, definitions and references.
pub const LOCALS_QUERY: &str = include_str!("../../queries/locals.scm");
