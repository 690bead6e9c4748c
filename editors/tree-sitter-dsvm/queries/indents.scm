; The first name is that of Helix, the second that of nvim-treesitter; each ignores the other.

[
  (body)
  (record)
  (list)
  (group)
  (arguments)
  (parameters)
  (type_record)
] @indent @indent.begin

["}" ")" "]"] @outdent @indent.branch
