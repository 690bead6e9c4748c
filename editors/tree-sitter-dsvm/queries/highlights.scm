; The names are those that tree-sitter, Neovim and Helix share; each editor falls back to the part before the dot.

(comment) @comment
(doc_comment) @comment.documentation

(string) @string
(quoted) @property
(escape) @string.escape
(regex) @string.regexp
(interpolation "${" @punctuation.special "}" @punctuation.special)

(number) @number
(unit) @type.builtin

((identifier) @constant.builtin
  (#any-of? @constant.builtin "true" "false" "null" "any"))

(type_name (identifier) @type)
(type_declaration name: (identifier) @type)
(class (identifier) @type)
(modifier) @keyword.modifier
(subject) @keyword

["import" "from" "as"] @keyword.import
["param" "let" "fn" "type" "check" "output"] @keyword
["if" "then" "else"] @keyword.conditional
["for"] @keyword.repeat
["in" "of" "initially" "matching"] @keyword.operator

(block keyword: (identifier) @keyword)
(block keyword: (identifier) . part: (identifier) @type.definition)
(repeated name: (identifier) @type.definition variable: (identifier) @variable.parameter)
(block keyword: (identifier) @keyword . part: (string) @string.special
  (#any-of? @keyword "test" "rule"))
(phrase keyword: (identifier) @property)
(field name: (identifier) @property)
(param name: (identifier) @variable.parameter)
(parameter name: (identifier) @variable.parameter)
(let name: (identifier) @variable)
(output name: (identifier) @variable)
(fn name: (identifier) @function)
(call function: (identifier) @function.call)
(argument name: (identifier) @variable.parameter)
(member member: (identifier) @variable.member)
(comprehension variable: (identifier) @variable.parameter)
(module (identifier) @module)
(import alias: (identifier) @module)

; Words between the values of a phrase: `from`, `to`, `at`, …
((phrase part: (identifier) @keyword)
  (#any-of? @keyword "from" "to" "at" "by" "with" "on" "until" "every" "no"))
((block part: (identifier) @keyword)
  (#eq? @keyword "from"))
((phrase keyword: (identifier) @keyword)
  (#any-of? @keyword "when" "on" "every" "allow" "expect" "given" "no" "check"))

["||" "&&" "==" "!=" "<" "<=" ">" ">=" "??" ".." "+" "-" "*" "/" "%" "!" "=" "|" "?"] @operator
["{" "}" "(" ")" "[" "]"] @punctuation.bracket
[":" "," "."] @punctuation.delimiter
