CREATE TABLE dn_budgets (
  key text PRIMARY KEY,
  book json NOT NULL
) WITH (fillfactor = 50);
COMMENT ON TABLE dn_budgets IS
  'The requests of each token in the last minute, shared by all programs that write here.';
COMMENT ON COLUMN dn_budgets.key IS 'A digest of the address of the platform and of the token.';
COMMENT ON COLUMN dn_budgets.book IS 'By process: when it was given how many places.';
