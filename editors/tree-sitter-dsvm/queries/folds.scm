[
  (body)
  (record)
  (list)
  (arguments)
  (parameters)
  (type_record)
  (string)
] @fold
