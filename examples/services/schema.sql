create table notes (
  id integer primary key generated always as identity,
  body text not null
);
insert into notes (body) values ('buy sand'), ('turn the glass');
