-- Every entry says how it reaches the ERP's ledger: by a document the ERP books itself, by a journal
-- of the hub, or not at all (hub). Until now the last said `documents` although none was ever made.
alter table entry drop constraint entry_gl_check;
alter table entry add constraint entry_gl_check check (gl in ('documents', 'journals', 'hub'));
-- what an entry says of money stays as it is; only the word for its way is put right, this once
alter table entry disable trigger entry_final;
update entry set gl = 'hub'
where gl = 'documents' and fact_type not in ('SaleRecognised', 'SaleReversed');
alter table entry enable trigger entry_final;
