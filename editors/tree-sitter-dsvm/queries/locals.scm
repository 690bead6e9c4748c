(fn) @local.scope
(comprehension) @local.scope
(block (repeated)) @local.scope
(file) @local.scope

(param name: (identifier) @local.definition)
(let name: (identifier) @local.definition)
(fn name: (identifier) @local.definition)
(type_declaration name: (identifier) @local.definition)
(parameter name: (identifier) @local.definition)
(comprehension variable: (identifier) @local.definition)
(repeated variable: (identifier) @local.definition)
(import alias: (identifier) @local.definition)
(import_names name: (identifier) @local.definition)
(block keyword: (_) . part: (identifier) @local.definition)

(identifier) @local.reference
