[
  (body)
  (record)
  (list)
  (group)
  (arguments)
  (parameters)
  (type_record)
] @indent

["}" ")" "]"] @outdent
