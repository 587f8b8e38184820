-- The words of a name as they are searched. Both parts of a hyphenated name are words, and so is the whole.
create function name_words(name text) returns text[]
language sql immutable strict parallel safe
return array(
    select distinct w.word
    from
        string_to_table(
            search_form($1) || ' '
            || search_form(regexp_replace(normalize($1), '[^[:alnum:]]', ' ', 'g')),
            ' '
        ) as w (word)
    where w.word <> ''
);

create function keep_name_words() returns trigger
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'UPDATE' then
        delete from public.client_name_words where tenant_id = new.tenant_id and client_id = new.id;
    end if;
    insert into public.client_name_words (tenant_id, client_id, word)
    select new.tenant_id, new.id, w.word
    from unnest(public.name_words(new.first_name || ' ' || new.last_name)) as w (word);
    return null;
end
$$;

revoke execute on function name_words, keep_name_words from public;
grant execute on function name_words to caseload_app;

create trigger keep_name_words after insert or update of first_name, last_name on clients
for each row execute function keep_name_words();
