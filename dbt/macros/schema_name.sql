{# All models of a build stand in one schema, which the target names. #}
{% macro generate_schema_name(custom_schema_name, node) -%}{{ target.schema }}{%- endmacro %}
