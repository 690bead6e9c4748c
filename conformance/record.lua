-- What somebody does in Neovim with a project, so that what the editor says to the server can be written down.
dofile(vim.env.CONFIGURATION)
vim.cmd("edit main.dsvm")

local function wait(condition)
  return vim.wait(60000, condition, 20)
end

local function request(method, params)
  local answers = vim.lsp.buf_request_sync(0, method, params, 60000)
  local _, answer = next(answers or {})
  return answer and answer.result
end

-- A position before the first `text` of the buffer, as the editor makes it.
local function at(text, offset)
  for line, content in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, true)) do
    local column = content:find(text, 1, true)
    if column then
      vim.api.nvim_win_set_cursor(0, { line, column - 1 + (offset or 0) })
      return vim.lsp.util.make_position_params()
    end
  end
  error(text .. " is not there")
end

local function document()
  return { textDocument = vim.lsp.util.make_text_document_params() }
end

local function settled(version)
  wait(function() return vim.lsp.buf_get_clients(0)[1] ~= nil and vim.lsp.buf_get_clients(0)[1].initialized end)
  -- Each answer about findings waits for the compilation.
  local range = vim.lsp.util.make_range_params()
  range.context = { diagnostics = vim.lsp.diagnostic.get_line_diagnostics() }
  request("textDocument/codeAction", range)
end

wait(function() return next(vim.lsp.buf_get_clients(0)) ~= nil end)
settled()
request("textDocument/hover", at("images.ubuntu", 8))
request("textDocument/definition", at("[notes]", 2))
request("textDocument/documentHighlight", at("share notes", 7))
local references = at("share notes", 7)
references.context = { includeDeclaration = true }
request("textDocument/references", references)
request("textDocument/documentSymbol", document())
request("workspace/symbol", { query = "o" })
request("textDocument/signatureHelp", at("label(\"us\"", 6))
request("textDocument/codeLens", document())
local item = (request("textDocument/prepareCallHierarchy", at("fn label", 4)) or {})[1]
request("callHierarchy/incomingCalls", { item = item })
-- Somebody types a field with a mistake, completes another one, and mends the mistake.
local line = at("  quota").position.line
vim.api.nvim_buf_set_lines(0, line, line, true, { "  protcol = nfs" })
settled()
vim.api.nvim_win_set_cursor(0, { line + 1, 4 })
settled()
vim.api.nvim_buf_set_lines(0, line, line + 1, true, { "  protocol = " })
request("textDocument/completion", at("  protocol = ", 13))
vim.api.nvim_buf_set_lines(0, line, line + 1, true, { "  protocol = smb" })
settled()
if vim.lsp.buf.format then vim.lsp.buf.format({ timeout_ms = 60000 }) else vim.lsp.buf.formatting_sync(nil, 60000) end
local rename = at("share notes", 7)
rename.newName = "papers"
request("textDocument/rename", rename)
local range = vim.lsp.util.make_given_range_params({ line + 2, 10 }, { line + 2, 14 })
range.context = { diagnostics = {} }
request("textDocument/codeAction", range)
request("textDocument/rangeFormatting", { textDocument = range.textDocument, range = range.range, options = { tabSize = 2, insertSpaces = true } })
vim.cmd("quitall!")
