{# How names of facilities are compared. None of it is fit to be shown. #}

{# A name without what says what kind of facility it is, accents, capitals and punctuation: 'CS Rukoma', 'RUKOMA HC' and
   'Rukoma Health Centre' are 'rukoma'. NULL where nothing is left. #}
{% macro facility_name_key(column) -%}
  nullif(btrim(regexp_replace(regexp_replace(
    {{ plain_letters(column) }},
    '\m((medicali[sz]ed )?health (cent(re|er)|post)|(centre|poste) de sante|((district|provincial|referral) )?hospital'
    || '|hopital( de district)?|dispensa(ry|ire)|clini(c|que)|hc|mc|cs|hp|ps|dh|hd|ph)\M',
    ' ', 'g'), '[^a-z0-9]+', ' ', 'g')), '')
{%- endmacro %}

{# Lower case, without accents. #}
{% macro plain_letters(column) -%}
  translate(lower({{ column }}), 'àâäáãéèêëíìîïóòôöõúùûüçñ', 'aaaaaeeeeiiiiooooouuuucn')
{%- endmacro %}

{# What is alike of a name key (or of a word) in the spellings of one name: r and l, y and i, c, ch and k, letters written
   twice or once, blanks. #}
{% macro spelling_key(name_key) -%}
  regexp_replace(translate(replace({{ name_key }}, 'ch', 'k'), 'lyc ', 'rik'), '(.)\1+', '\1', 'g')
{%- endmacro %}

{# A district's name without capitals, and the word for district before or after it. #}
{% macro district_name_key(column) -%}
  nullif(btrim(regexp_replace(
    regexp_replace({{ plain_letters(column) }}, '\m(akarere ka|akarere|district( de)?)\M', ' ', 'g'), '[^a-z]+', ' ', 'g'
  )), '')
{%- endmacro %}

{# The kind of facility that its type is, or its name says: hospital, centre, post or other. #}
{% macro facility_kind_of_type(type_code) -%}
  case
    when {{ type_code }} in ('NRH', 'L2TH', 'PH', 'DH') then 'hospital'
    when {{ type_code }} in ('HC', 'MC') then 'centre'
    when {{ type_code }} = 'HP' then 'post'
    else 'other'
  end
{%- endmacro %}

{% macro facility_kind_of_name(column) -%}
  case
    when {{ plain_letters(column) }} ~ '\m(hc|mc|cs|health cent(re|er)|centre de sante)\M' then 'centre'
    when {{ plain_letters(column) }} ~ '\m(hp|ps|health post|poste de sante)\M' then 'post'
    when {{ plain_letters(column) }} ~ '\m(dh|hd|ph|hospital|hopital)\M' then 'hospital'
  end
{%- endmacro %}

{# The groups of three letters of a text, as PostgreSQL's pg_trgm makes them of one word: a lateral relation with a column
   `trigram`. Written here since that extension is not among the binaries that `hic` runs by default. Alike are two texts by the
   groups that both have over those that either has. #}
{% macro trigrams(text) -%}
  (
    select distinct substr('  ' || {{ text }} || ' ', place, 3) as trigram
    from generate_series(1, length({{ text }}) + 1) as places (place)
)
{%- endmacro %}

{# What stands for a facility in int_facility_crosswalk (source_key) where a system names it without a code of its own. #}
{% macro facility_source_key(code, name, district) -%}
  concat_ws('|', coalesce({{ code }}, ''), coalesce({{ name }}, ''), coalesce({{ district }}, ''))
{%- endmacro %}
