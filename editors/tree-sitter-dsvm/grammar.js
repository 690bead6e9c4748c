// The grammar of `.dsvm` for editors, rule by rule after `grammar/dsvm.pest`, which is the definition. `README.md` says where the two
// cannot be the same; `conformance/tree-sitter.sh` and `cargo test -p tree-sitter-dsvm` hold them against each other.
//
// Newlines: `src/scanner.c` decides what a newline is. It ends a line where `$._newline` can stand, is blank where `$._space` can
// (a token that is never written), and is a mistake elsewhere.

const PRECEDENCE = {
  or: 1, and: 2, equal: 3, compare: 4, coalesce: 5, initially: 6, range: 7, add: 8, multiply: 9, of: 10, prefix: 11, suffix: 12,
};

const word = /[A-Za-z_][A-Za-z0-9_]*/;

// `a, b,`: entries between commas, perhaps with one at the end.
const commas = entry => seq(entry, repeat(seq(",", entry)), optional(","));

// Operands and operators in a row. `self` is the rule itself: `_expression` ends with the line, `_wide` does not.
const binary = ($, self) =>
  choice(
    ...[
      ["||", PRECEDENCE.or],
      ["&&", PRECEDENCE.and],
      [choice("==", "!="), PRECEDENCE.equal],
      [choice("<", "<=", ">", ">=", alias($._in, "in")), PRECEDENCE.compare],
      ["??", PRECEDENCE.coalesce],
      [alias($._initially, "initially"), PRECEDENCE.initially],
      ["..", PRECEDENCE.range],
      [choice("+", "-"), PRECEDENCE.add],
      [choice("*", "/", "%"), PRECEDENCE.multiply],
      [alias($._of, "of"), PRECEDENCE.of],
    ].map(([operator, precedence]) =>
      prec.left(precedence, seq(field("left", self), field("operator", operator), field("right", self))),
    ),
  );

module.exports = grammar({
  name: "dsvm",

  word: $ => $.identifier,

  extras: $ => [/[ \t\r]/, $.comment, $.doc_comment, $._blank_newline],

  externals: $ => [
    $._newline,
    $._blank_newline,
    // Never found: where they can stand, a newline is blank; before `then` and `else`, and before `|`.
    $._space,
    $._space_before_then,
    $._space_before_else,
    $._space_before_bar,
    $._body_open,
    $._digits,
    $._digits_of_quantity,
    $.unit,
    $._nullable,
    $._text,
    $._long_text,
    $._in,
    $._of,
    $._initially,
    $._if,
    // Can stand nowhere, so that it is valid only while the parser recovers, and a mistake where it is found.
    $._recovering,
  ],

  conflicts: $ => [
    // `p[t in ts]` after a keyword, and an element of `p`.
    [$._primary, $.repeated],
    // `x[0]` is an element of `x`; `x[]` and `x[1, 2]` are two parts of a phrase.
    [$._operand, $.index],
  ],

  rules: {
    // ─── Files and declarations ─────────────────────────────────────────────────────────────────────────────────────
    file: $ => seq(repeat(choice($._newline, seq($._item, $._newline))), optional($._item)),

    _item: $ => seq(optional(alias("export", $.modifier)), $._declaration),
    _declaration: $ => choice($.import, $.param, $.let, $.fn, $.type_declaration, $.check, $.output, $.block),

    import: $ => seq("import", choice(seq($.import_names, "from", $._import_from), seq($._import_from, optional(seq("as", field("alias", $.identifier))))), optional($._of_type)),
    import_names: $ => seq("{", optional($._space), $._import_name, repeat(seq(",", optional($._space), $._import_name)), optional(seq(",", optional($._space))), "}"),
    _import_name: $ => seq(field("name", $.identifier), optional($._space)),
    _import_from: $ => field("from", choice($.string, $.module)),
    module: $ => seq($.identifier, repeat($._dot_word)),

    param: $ => seq(optional(alias("secret", $.modifier)), "param", field("name", $.identifier), $._of_type, optional($._default)),
    let: $ => seq("let", field("name", $.identifier), optional($._of_type), $._default),
    fn: $ => seq("fn", field("name", $.identifier), $.parameters, optional($._of_type), $._default),
    parameters: $ => seq("(", optional($._space), optional(seq($.parameter, repeat(seq($._comma_after_value, $.parameter)), optional(choice($._newlines, $._comma_after_value)))), ")"),
    _comma_after_value: $ => seq(optional($._newlines), ",", optional($._space)),
    parameter: $ => seq(field("name", $.identifier), $._of_type, optional($._default)),
    type_declaration: $ => seq("type", field("name", $.identifier), "=", optional($._space), field("type", $._type)),
    check: $ => seq("check", field("condition", $._expression), optional($.otherwise)),
    output: $ => seq("output", field("name", $.identifier), optional($._of_type), $._default),

    _of_type: $ => seq(":", field("type", $._type)),
    _default: $ => seq("=", field("value", $._expression)),
    _newlines: $ => repeat1($._newline),

    // ─── Blocks, bodies, fields, phrases ────────────────────────────────────────────────────────────────────────────
    block: $ => seq($._head, optional($.body)),
    _head: $ => seq(optional(alias("existing", $.modifier)), field("keyword", choice($.identifier, alias($._existing, $.identifier))), optional($.repeated), optional($._parts)),
    _existing: $ => prec(-1, "existing"),
    repeated: $ => prec.dynamic(2, seq(field("name", $.identifier), choice("[", token.immediate("[")), field("variable", $.identifier), alias($._in, "in"), field("values", $._wide), "]")),
    _parts: $ => choice(seq(repeat1($._part), optional(seq($.class, repeat($._part)))), seq($.class, repeat($._part))),
    _part: $ => field("part", choice($._expression, alias("for", $.subject))),
    class: $ => seq(":", choice($.string, $.identifier)),

    body: $ => seq(alias($._body_open, "{"), optional($._gap), optional(seq($._entry, repeat(seq($._separator, $._entry)), optional($._separator))), "}"),
    _gap: $ => repeat1(choice($._newline, ",")),
    _separator: $ => repeat1(choice($._newline, ",")),
    _entry: $ => choice($.field, $.phrase),
    field: $ => seq(field("name", choice($.identifier, $.quoted)), "=", field("value", $._expression)),
    phrase: $ => seq(field("keyword", choice($.identifier, $.quoted)), optional($._parts), optional($.otherwise), optional($.body)),
    _else: $ => seq(optional($._space_before_else), "else"),
    otherwise: $ => seq($._else, field("message", $._expression)),
    quoted: $ => seq('"', alias($._text, $.text), '"'),

    // ─── Expressions ────────────────────────────────────────────────────────────────────────────────────────────────
    _expression: $ => choice($._operand, alias($._expression_binary, $.binary), $._space),
    _expression_binary: $ => binary($, $._expression),
    _wide: $ => choice($._operand, alias($._wide_binary, $.binary), $._space, alias($._wide_space, $.binary)),
    _wide_binary: $ => binary($, $._wide),
    _wide_space: $ => prec.left(PRECEDENCE.suffix, seq($._wide, $._space)),

    _operand: $ => choice($._primary, $.prefix),
    prefix: $ => prec(PRECEDENCE.prefix, seq(field("operator", choice("!", "-")), field("operand", $._operand))),
    _primary: $ => choice($.identifier, $.number, $.string, $.list, $.record, $.group, $.condition, $.member, $.call, $.index),
    member: $ => prec(PRECEDENCE.suffix, seq(field("object", $._primary), $._dot_word)),
    call: $ => prec(PRECEDENCE.suffix, seq(field("function", $._primary), $.arguments)),
    arguments: $ => seq(token.immediate("("), optional(commas($._argument)), ")"),
    _argument: $ => choice($._wide, $.argument),
    argument: $ => seq(field("name", $.identifier), "=", field("value", $._wide)),
    index: $ => prec.dynamic(1, seq(field("object", $._primary), token.immediate("["), field("index", $._wide), "]")),
    _dot_word: $ => seq(token.immediate("."), field("member", alias(token.immediate(word), $.identifier))),

    group: $ => seq("(", $._wide, ")"),
    list: $ => seq(choice("[", token.immediate("[")), optional(choice(commas($._wide), seq($._wide, $.comprehension))), "]"),
    comprehension: $ => seq("for", optional($._space), field("variable", $.identifier), optional($._space), alias($._in, "in"), field("values", $._wide), optional(seq("if", field("filter", $._wide)))),
    record: $ => seq("{", optional($._gap), optional(seq($.field, repeat(seq($._separator, $.field)), optional($._separator))), "}"),
    condition: $ => seq(alias($._if, "if"), field("condition", $._expression), optional($._space_before_then), "then", field("then", $._expression), $._else, field("else", $._expression)),

    // ─── Types ──────────────────────────────────────────────────────────────────────────────────────────────────────
    _type: $ => choice($._one_type, alias($._union, $.union)),
    _union: $ => prec.right(seq($._one_type, repeat1(seq(optional($._space_before_bar), "|", optional($._space), $._one_type)))),
    _one_type: $ => choice($._type_atom, alias($._refined, $.refined)),
    _refined: $ => prec.right(choice(seq(alias("secret", $.modifier), $._type_atom, repeat($._refinement)), seq($._type_atom, repeat1($._refinement)))),
    _type_atom: $ => choice($.type_name, $.type_list, $.type_record, $.type_group, $.string, $.number, seq("-", $.number)),
    type_name: $ => seq($.identifier, repeat($._dot_word)),
    type_list: $ => seq(choice("[", token.immediate("[")), optional($._space), $._type, optional($._space), "]"),
    type_record: $ => seq("{", optional($._gap), optional(seq($.parameter, repeat(seq($._separator, $.parameter)), optional($._separator))), "}"),
    type_group: $ => seq("(", optional($._space), $._type, optional($._space), ")"),
    _refinement: $ => choice(alias($._nullable, "?"), seq(alias($._in, "in"), $._expression), seq("matching", $.regex)),
    regex: $ => token(prec(1, /\/(\\[^\n]|[^\/\\\n])+\//)),

    // ─── Words and literals ─────────────────────────────────────────────────────────────────────────────────────────
    identifier: $ => word,
    number: $ => choice($._digits, seq($._digits_of_quantity, $.unit)),
    string: $ => choice(
      seq('"', repeat(choice(alias($._text, $.text), $.escape, $.interpolation)), '"'),
      seq('"""', repeat(choice(alias($._long_text, $.text), $.escape, $.interpolation)), '"""'),
    ),
    escape: $ => token.immediate(prec(1, choice(/\\u\{[0-9A-Fa-f]{1,6}\}/, /\\[^\n]/))),
    interpolation: $ => seq(token.immediate("${"), $._wide, "}"),

    doc_comment: $ => token(/\/\/\/([^\/\n][^\n]*)?/),
    comment: $ => token(/\/\/[^\n]*/),
  },
});
