//! Rules that pest expected → what a person would call them.

use dsvm_grammar::Rule;

/// At most four words or phrases, without repetition, in a fixed order.
pub(super) fn words(rules: &[Rule], tokens: &[String]) -> Vec<&'static str> {
    let signs = tokens.iter().filter_map(|token| sign(token));
    let mut words: Vec<&'static str> = signs.collect();
    // Where a certain word is expected, operators could stand too, but that helps nobody.
    let certain = !words.is_empty();
    for word in rules.iter().filter_map(|rule| word(*rule)) {
        let hidden = certain && word == "an operator";
        if !hidden && !words.contains(&word) {
            words.push(word);
        }
    }
    if words.iter().any(|w| matches!(*w, "`then`" | "`else`")) {
        words.retain(|w| *w != "`in`");
    }
    words.sort_unstable();
    // A value is all of these; naming them too would only hide it.
    if words.contains(&"a value") {
        words.retain(|w| !matches!(*w, "a number" | "a string" | "a name"));
    }
    words.truncate(4);
    words
}

/// Signs and words that are worth naming when they are expected.
fn sign(token: &str) -> Option<&'static str> {
    Some(match token {
        "then" => "`then`",
        "else" => "`else`",
        "in" => "`in`",
        "from" => "`from`",
        ":" => "`:`",
        "=" => "`=`",
        ")" => "`)`",
        "]" => "`]`",
        "{" => "`{`",
        "}" => "`}`",
        _ => return None,
    })
}

/// What to call a rule; `None` where its name helps nobody. The match names every rule, so none can be forgotten.
fn word(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::EOI | Rule::line_end | Rule::separator => "the end of the line",
        Rule::import
        | Rule::param
        | Rule::r#let
        | Rule::r#fn
        | Rule::type_declaration
        | Rule::check
        | Rule::output
        | Rule::declaration
        | Rule::item
        | Rule::file
        | Rule::one_item
        | Rule::own_form
        | Rule::block
        | Rule::keyword
        | Rule::head
        | Rule::one_head => "a declaration",
        Rule::module | Rule::import_from => "a module or a path in quotes",
        Rule::import_names => "`{`",
        Rule::import_as | Rule::kw_as => "`as`",
        Rule::kw_from => "`from`",
        Rule::fn_param => "a parameter",
        Rule::equals | Rule::default | Rule::value => "`=`",
        Rule::of_type | Rule::class => "`:`",
        Rule::body => "`{`",
        Rule::entry | Rule::one_entry | Rule::field => "a field",
        Rule::expr
        | Rule::wide
        | Rule::operand
        | Rule::primary
        | Rule::prefix
        | Rule::part
        | Rule::parts
        | Rule::list
        | Rule::record
        | Rule::group
        | Rule::condition
        | Rule::argument => "a value",
        Rule::r#type
        | Rule::one_type
        | Rule::type_atom
        | Rule::type_name
        | Rule::type_list
        | Rule::type_record
        | Rule::type_group
        | Rule::type_literal => "a type",
        Rule::word | Rule::name | Rule::plain_word | Rule::word_start => "a name",
        Rule::number | Rule::digits | Rule::digit => "a number",
        Rule::string | Rule::quoted => "a string",
        Rule::regex => "a pattern such as `/[a-z]+/`",
        Rule::unit | Rule::time_unit | Rule::size_unit | Rule::money_unit | Rule::money_period | Rule::percent => {
            "a unit"
        }
        Rule::binary => "an operator",
        Rule::kw_then => "`then`",
        Rule::kw_else | Rule::otherwise => "`else`",
        Rule::kw_in => "`in`",
        Rule::kw_for | Rule::subject => "`for`",
        Rule::comma => "`,`",
        Rule::interpolation => "`${`",
        Rule::escape => "an escape",
        Rule::kw_import
        | Rule::kw_param
        | Rule::kw_let
        | Rule::kw_fn
        | Rule::kw_type
        | Rule::kw_check
        | Rule::kw_output
        | Rule::kw_if
        | Rule::kw_matching
        | Rule::export
        | Rule::existing
        | Rule::secret
        | Rule::repeated
        | Rule::phrase
        | Rule::suffix
        | Rule::suffixes
        | Rule::comprehension
        | Rule::minus
        | Rule::refinement
        | Rule::nullable
        | Rule::word_char
        | Rule::word_operator
        | Rule::text
        | Rule::text_char
        | Rule::long_text
        | Rule::long_char
        | Rule::not_newline
        | Rule::blank
        | Rule::space
        | Rule::gap
        | Rule::comment => return None,
    })
}
