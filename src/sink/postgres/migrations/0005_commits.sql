ALTER TABLE dn_leases ADD COLUMN commits bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN dn_leases.holder IS
  'Host, process and a nonce of this taking; NULL once the lease was given back.';
COMMENT ON COLUMN dn_leases.commits IS
  'How many transactions were committed under it: a database that went back to an earlier state shows it.';
