-- Neovim, headless, as a client of `dsvmc lsp`: what docs/editors.md says must work. Prints one line for each check.

local function check(what, holds)
  print((holds and "ok    " or "FAIL  ") .. what .. "\n")
  if not holds then vim.cmd("cquit 1") end
end

local function request(method, line, column)
  local params = { textDocument = { uri = vim.uri_from_bufnr(0) }, position = { line = line, character = column } }
  local answers = vim.lsp.buf_request_sync(0, method, params, 60000) or {}
  for _, answer in pairs(answers) do return answer.result end
end

-- `--clean` leaves the user's folder out.
if vim.env.GRAMMAR then vim.opt.runtimepath:append(vim.env.GRAMMAR) end

-- The configuration of docs/editors.md, as nvim.sh found it there.
dofile(vim.env.CONFIGURATION)

vim.cmd("edit main.dsvm")
check("the server starts", vim.wait(60000, function()
  for _, client in pairs(vim.lsp.buf_get_clients(0)) do return client.initialized end
end, 50))

local function found(count)
  return vim.wait(60000, function() return #vim.diagnostic.get(0) == count end, 50)
end
check("a mistake is shown", found(1))
check("the mistake has its code", vim.diagnostic.get(0)[1].code == "DSVM0101")
vim.api.nvim_buf_set_lines(0, 2, 3, true, { "output o = first" })
check("it goes when it is fixed", found(0))
vim.api.nvim_buf_set_lines(0, 1, 2, true, { "/// Ä 😀.", "let   first=1" })
vim.lsp.buf_request_sync(0, "textDocument/documentSymbol", { textDocument = { uri = vim.uri_from_bufnr(0) } }, 60000)
local hover = request("textDocument/hover", 3, 12)
check("hover shows the comment", hover ~= nil and hover.contents.value:find("Ä 😀", 1, true) ~= nil)
local definition = request("textDocument/definition", 3, 12)
check("a use leads to its declaration", definition ~= nil and definition[1].range.start.line == 2)
local items = request("textDocument/completion", 3, 11)
check("names are offered", items ~= nil and #items.items > 0)
if vim.lsp.buf.format then vim.lsp.buf.format({ timeout_ms = 60000 }) else vim.lsp.buf.formatting_sync(nil, 60000) end
check("the document is formatted", vim.api.nvim_buf_get_lines(0, 2, 3, true)[1] == "let first = 1")

if vim.env.GRAMMAR then
  vim.api.nvim_buf_set_lines(0, 0, -1, true, {
    "/// The project.",
    "project p { location = westeurope }",
    'let name = "a ${first} b"',
    "let first = if true then 15 min else 2 h",
  })
  local parser = vim.treesitter.get_parser(0, "dsvm")
  local root = parser:parse()[1]:root()
  check("the grammar is loaded and the file has no error", root:type() == "file" and not root:has_error())
  check("the highlighter runs", vim.treesitter.highlighter.active[vim.api.nvim_get_current_buf()] ~= nil)
  local read = vim.treesitter.query.get or vim.treesitter.get_query
  local colours = {}
  for id, node in read("dsvm", "highlights"):iter_captures(root, 0, 0, -1) do
    local row, column = node:start()
    colours[row .. ":" .. column] = (colours[row .. ":" .. column] or "") .. read("dsvm", "highlights").captures[id] .. " "
  end
  local function coloured(row, column, name) return (colours[row .. ":" .. column] or ""):find(name, 1, true) ~= nil end
  check("a comment, a keyword and a name have their colours",
    coloured(0, 0, "comment") and coloured(1, 0, "keyword") and coloured(1, 8, "type") and coloured(2, 4, "variable"))
  check("a string, a number and its unit have their colours",
    coloured(2, 11, "string") and coloured(3, 25, "number") and coloured(3, 28, "type"))
  check("a condition has its colour", coloured(3, 12, "keyword.conditional"))
  local folds = 0
  for _ in read("dsvm", "folds"):iter_captures(root, 0, 0, -1) do folds = folds + 1 end
  check("blocks fold", folds > 0)
  for _, name in ipairs({ "indents", "injections", "locals" }) do
    check("the query " .. name .. " is read", read("dsvm", name) ~= nil)
  end
end
vim.cmd("quitall!")
