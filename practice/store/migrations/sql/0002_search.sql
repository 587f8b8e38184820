-- A name as it is searched: small letters without accents, apostrophes or hyphens, so that `obrien` finds O'Brien.
create function search_form(name text) returns text
language sql immutable strict parallel safe
return regexp_replace(lower(normalize(name, nfkd)), '[^[:alnum:] ]', '', 'g');
