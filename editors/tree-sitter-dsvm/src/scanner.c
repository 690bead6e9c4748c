// What a token means where the text around it decides: newlines, the `{` of a body, numbers with their units, the text of strings, and
// `in`, `of`, `initially` between operands. Has no state, so that a tree can be updated from any place.

#include "tree_sitter/parser.h"

enum Token {
  NEWLINE,
  BLANK_NEWLINE,
  SPACE,
  SPACE_BEFORE_THEN,
  SPACE_BEFORE_ELSE,
  SPACE_BEFORE_BAR,
  BODY_OPEN,
  DIGITS,
  DIGITS_OF_QUANTITY,
  UNIT,
  NULLABLE,
  TEXT,
  LONG_TEXT,
  IN,
  OF,
  INITIALLY,
  IF,
  RECOVERING,
};

// The longest keyword or unit that is compared, and its end.
enum { LONGEST = 12 };

static bool is_digit(int32_t c) { return c >= '0' && c <= '9'; }
static bool is_upper(int32_t c) { return c >= 'A' && c <= 'Z'; }
static bool is_word_start(int32_t c) { return (c >= 'a' && c <= 'z') || is_upper(c) || c == '_'; }
static bool is_word(int32_t c) { return is_word_start(c) || is_digit(c); }
static bool is_number_part(int32_t c) { return is_digit(c) || c == '_'; }
static bool is_blank(int32_t c) { return c == ' ' || c == '\t' || c == '\r'; }

static bool begins_operand(int32_t c) { return is_word(c) || c == '"' || c == '(' || c == '[' || c == '{' || c == '-' || c == '!'; }

static void take(TSLexer *lexer) { lexer->advance(lexer, false); }
static void skip(TSLexer *lexer) { lexer->advance(lexer, true); }

static bool same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}

static bool begins_with(const char *word, const char *start) {
  while (*start && *word == *start) word++, start++;
  return !*start;
}

static bool among(const char *word, const char *const *list) {
  for (; *list; list++) {
    if (same(word, *list)) return true;
  }
  return false;
}

// Reads a word; longer ones than any that is asked for are cut, and equal none.
static void read_word(TSLexer *lexer, char word[LONGEST]) {
  unsigned length = 0;
  for (; is_word(lexer->lookahead); take(lexer)) {
    if (length < LONGEST - 1) word[length++] = (char)lexer->lookahead;
  }
  word[length] = 0;
}

// Over blanks, newlines, comments and, in a body, commas. False at a `/` that begins no comment.
static bool look_over_space(TSLexer *lexer, bool commas) {
  for (;;) {
    if (is_blank(lexer->lookahead) || lexer->lookahead == '\n' || (commas && lexer->lookahead == ',')) {
      take(lexer);
    } else if (lexer->lookahead == '/') {
      take(lexer);
      if (lexer->lookahead != '/') return false;
      while (lexer->lookahead != '\n' && !lexer->eof(lexer)) take(lexer);
    } else {
      return true;
    }
  }
}

// ─── Newlines ───────────────────────────────────────────────────────────────────────────────────────────────────────

static bool newline(TSLexer *lexer, const bool *valid) {
  while (is_blank(lexer->lookahead) || lexer->lookahead == '\n') take(lexer);
  lexer->mark_end(lexer);
  if (valid[RECOVERING]) {
    lexer->result_symbol = NEWLINE;
    return true;
  }
  if (valid[SPACE_BEFORE_THEN] || valid[SPACE_BEFORE_ELSE] || valid[SPACE_BEFORE_BAR]) {
    bool continues = false;
    if (look_over_space(lexer, false)) {
      if (lexer->lookahead == '|') {
        continues = valid[SPACE_BEFORE_BAR];
      } else if (is_word_start(lexer->lookahead)) {
        char word[LONGEST];
        read_word(lexer, word);
        continues = (valid[SPACE_BEFORE_THEN] && same(word, "then")) || (valid[SPACE_BEFORE_ELSE] && same(word, "else"));
      }
    }
    if (continues) {
      lexer->result_symbol = BLANK_NEWLINE;
      return true;
    }
  }
  if (!valid[NEWLINE] && !valid[SPACE]) return false;
  if (!valid[NEWLINE] && !valid[DIGITS]) {
    // After an operand: what belongs to it stands directly behind it.
    int32_t next = lexer->lookahead;
    if (next == '(' || next == '[') return false;
    if (next == '.') {
      take(lexer);
      if (lexer->lookahead != '.') return false;
    }
  }
  lexer->result_symbol = valid[NEWLINE] ? NEWLINE : BLANK_NEWLINE;
  return true;
}

// ─── Strings ────────────────────────────────────────────────────────────────────────────────────────────────────────

// The text before the end of a string, an escape or an interpolation; a short string also ends with its line.
static bool text(TSLexer *lexer, bool is_long) {
  bool found = false;
  for (; !lexer->eof(lexer) && lexer->lookahead != '\\'; found = true) {
    if (!is_long && (lexer->lookahead == '"' || lexer->lookahead == '\n')) break;
    lexer->mark_end(lexer);
    if (lexer->lookahead == '$') {
      take(lexer);
      if (lexer->lookahead == '{') break;
    } else if (lexer->lookahead == '"') {
      unsigned quotes = 0;
      for (; quotes < 3 && lexer->lookahead == '"'; quotes++) take(lexer);
      if (quotes == 3) break;
    } else {
      take(lexer);
    }
    lexer->mark_end(lexer);
  }
  lexer->result_symbol = is_long ? LONG_TEXT : TEXT;
  return found;
}

// ─── Numbers ────────────────────────────────────────────────────────────────────────────────────────────────────────

// Takes a sign and the digits after it; without these nothing of it belongs to the number.
static bool group(TSLexer *lexer, char sign) {
  if (lexer->lookahead != sign) return false;
  take(lexer);
  if (!is_number_part(lexer->lookahead)) return false;
  while (is_number_part(lexer->lookahead)) take(lexer);
  return true;
}

// `3`, `2.50`, `10.0.0.4`, `10.0.0.0/16`, `08:00`, `2026-12-01`. The end is marked where the last whole form ended.
// False when something was read that is not part of the number.
static bool digits(TSLexer *lexer) {
  while (is_number_part(lexer->lookahead)) take(lexer);
  lexer->mark_end(lexer);
  if (lexer->lookahead == '.') {
    if (!group(lexer, '.')) return false;
    lexer->mark_end(lexer);
    if (lexer->lookahead != '.') return true;
    if (!group(lexer, '.') || !group(lexer, '.')) return false;
    lexer->mark_end(lexer);
    if (lexer->lookahead != '/') return true;
    if (!group(lexer, '/')) return false;
    lexer->mark_end(lexer);
  } else if (lexer->lookahead == ':') {
    if (!group(lexer, ':')) return false;
    lexer->mark_end(lexer);
  } else if (lexer->lookahead == '-') {
    for (unsigned part = 0; part < 2; part++) {
      if (lexer->lookahead != '-') return false;
      take(lexer);
      for (unsigned digit = 0; digit < 2; digit++) {
        if (!is_number_part(lexer->lookahead)) return false;
        take(lexer);
      }
    }
    lexer->mark_end(lexer);
  }
  return true;
}

// `MiB`, `min`, `USD`, `USD/h`; moves the end of the token behind it if that is wanted.
static bool unit(TSLexer *lexer, bool moves_end) {
  static const char *const units[] = {"min", "sec", "s",   "h",   "days", "day", "d",  "weeks", "week", "GiB",
                                      "TiB", "MiB", "KiB", "PiB", "GB",   "TB",  "MB", "KB",    "B",    NULL};
  static const char *const periods[] = {"h", "day", "week", "month", NULL};
  char word[LONGEST];
  read_word(lexer, word);
  if (moves_end) lexer->mark_end(lexer);
  if (among(word, units)) return true;
  if (!is_upper(word[0]) || !is_upper(word[1]) || !is_upper(word[2]) || word[3]) return false;
  if (lexer->lookahead != '/') return true;
  take(lexer);
  read_word(lexer, word);
  if (among(word, periods)) {
    if (moves_end) lexer->mark_end(lexer);
    return true;
  }
  // A period with letters glued to it is a mistake, as in the grammar; anything else after the `/` is not part of the unit.
  for (const char *const *period = periods; *period; period++) {
    if (begins_with(word, *period)) return false;
  }
  return true;
}

// Digits, and whether a unit follows. Nothing may be glued to a number.
static bool number(TSLexer *lexer) {
  lexer->result_symbol = DIGITS;
  // Where the digits stop inside a longer form, the sign of that form follows: nothing is glued to them.
  if (!digits(lexer)) return true;
  if (lexer->lookahead == '%') {
    take(lexer);
    lexer->result_symbol = DIGITS_OF_QUANTITY;
    return !is_word(lexer->lookahead);
  }
  bool glued = is_word(lexer->lookahead);
  while (is_blank(lexer->lookahead)) take(lexer);
  if (is_word_start(lexer->lookahead) && unit(lexer, false)) {
    lexer->result_symbol = DIGITS_OF_QUANTITY;
    return true;
  }
  return !glued;
}

// ─── Words between operands ─────────────────────────────────────────────────────────────────────────────────────────

// Whether a `{` that was just read begins a record and no body: nothing, or a name and `=`.
static bool is_record(TSLexer *lexer) {
  if (!look_over_space(lexer, true)) return false;
  if (lexer->lookahead == '}') return true;
  if (lexer->lookahead == '"') {
    do take(lexer); while (lexer->lookahead != '"' && lexer->lookahead != '\n' && !lexer->eof(lexer));
    take(lexer);
  } else {
    while (is_word(lexer->lookahead)) take(lexer);
  }
  while (is_blank(lexer->lookahead)) take(lexer);
  if (lexer->lookahead != '=') return false;
  take(lexer);
  return lexer->lookahead != '=';
}

// Over the string whose quote was just read; what is interpolated may hold strings.
static void look_over_string(TSLexer *lexer) {
  unsigned open = 0;
  while (!lexer->eof(lexer) && (open || lexer->lookahead != '"')) {
    int32_t c = lexer->lookahead;
    take(lexer);
    if (c == '\\') take(lexer);
    if (c == '$' && lexer->lookahead == '{') open++, take(lexer);
    if (c == '{' && open) open++;
    if (c == '}' && open) open--;
  }
  take(lexer);
}

// Whether an operand, a `then` and an `else` belong to an `if` that was just read: before the brackets around it close, before a `=` or
// a `:`.
static bool then_follows(TSLexer *lexer) {
  unsigned open = 0;
  bool then = false;
  if (!look_over_space(lexer, false) || !begins_operand(lexer->lookahead)) return false;
  while (!lexer->eof(lexer)) {
    if (!look_over_space(lexer, open > 0)) continue;
    int32_t c = lexer->lookahead;
    if (is_word_start(c)) {
      char word[LONGEST];
      read_word(lexer, word);
      if (!open && then && same(word, "else")) return true;
      if (!open && same(word, "then")) then = true;
      continue;
    }
    take(lexer);
    if (c == '"') {
      look_over_string(lexer);
    } else if (c == '(' || c == '[' || c == '{') {
      open++;
    } else if (c == ')' || c == ']' || c == '}') {
      if (!open--) return false;
    } else if (c == '=' || c == '!' || c == '<' || c == '>') {
      if (lexer->lookahead == '=') take(lexer);
      else if (c == '=' && !open) return false;
    } else if (is_digit(c)) {
      // With the `:` of a time.
      while (is_number_part(lexer->lookahead) || lexer->lookahead == ':') take(lexer);
    } else if (!open && (c == ':' || c == ',')) {
      return false;
    }
  }
  return false;
}

// `in`, `of` or `initially` if an operand follows, `if` if its `then` does; otherwise the word is a name.
static bool word_operator(TSLexer *lexer, const bool *valid) {
  char word[LONGEST];
  read_word(lexer, word);
  lexer->mark_end(lexer);
  if (valid[IF] && same(word, "if")) {
    lexer->result_symbol = IF;
    return then_follows(lexer);
  }
  if (valid[BODY_OPEN] && !valid[SPACE_BEFORE_ELSE] && same(word, "else")) {
    // No value of a declaration begins with it.
    lexer->result_symbol = RECOVERING;
    return true;
  }
  enum Token token = same(word, "in") ? IN : same(word, "of") ? OF : same(word, "initially") ? INITIALLY : RECOVERING;
  if (token == RECOVERING || !valid[token] || !look_over_space(lexer, false)) return false;
  lexer->result_symbol = token;
  int32_t next = lexer->lookahead;
  if (next == '{') {
    take(lexer);
    return is_record(lexer);
  }
  if (next == '(') {
    take(lexer);
    return look_over_space(lexer, false) && lexer->lookahead != ')';
  }
  return begins_operand(next);
}

bool tree_sitter_dsvm_external_scanner_scan(void *payload, TSLexer *lexer, const bool *valid) {
  (void)payload;
  bool recovering = valid[RECOVERING];
  if (!recovering && (valid[TEXT] || valid[LONG_TEXT])) {
    lexer->mark_end(lexer);
    return text(lexer, valid[LONG_TEXT]);
  }
  if (valid[NULLABLE] && lexer->lookahead == '?') {
    take(lexer);
    lexer->mark_end(lexer);
    lexer->result_symbol = NULLABLE;
    return lexer->lookahead != '?';
  }
  if (!recovering && valid[UNIT]) {
    lexer->result_symbol = UNIT;
    if (lexer->lookahead == '%') {
      take(lexer);
      lexer->mark_end(lexer);
      return true;
    }
    while (is_blank(lexer->lookahead)) skip(lexer);
    return unit(lexer, true);
  }
  while (is_blank(lexer->lookahead)) skip(lexer);
  if (lexer->lookahead == '\n') return newline(lexer, valid);
  if (recovering) return false;
  if (lexer->lookahead == '{' && valid[BODY_OPEN]) {
    take(lexer);
    lexer->mark_end(lexer);
    lexer->result_symbol = BODY_OPEN;
    return true;
  }
  if (is_digit(lexer->lookahead) && valid[DIGITS]) return number(lexer);
  if (is_word_start(lexer->lookahead) && (valid[IN] || valid[OF] || valid[INITIALLY] || valid[IF])) return word_operator(lexer, valid);
  return false;
}

void *tree_sitter_dsvm_external_scanner_create(void) { return NULL; }
void tree_sitter_dsvm_external_scanner_destroy(void *payload) { (void)payload; }
unsigned tree_sitter_dsvm_external_scanner_serialize(void *payload, char *buffer) {
  (void)payload, (void)buffer;
  return 0;
}
void tree_sitter_dsvm_external_scanner_deserialize(void *payload, const char *buffer, unsigned length) {
  (void)payload, (void)buffer, (void)length;
}
