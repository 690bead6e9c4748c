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
vim.cmd("quitall!")
