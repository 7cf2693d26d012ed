{{ config(
    materialized='view',
    tags=['reference', 'tracker'],
    meta={'dagster': {'group': 'programmes', 'owners': ['team:data-engineering']}}
) }}

-- Written by 'hic staging' from the declarations and the landed registries: change those, then run it again.

select programme, title, system, program_uid, cadence, tables
from (
    values
        ('tb', 'Tuberculosis', 'hmis_tracker', 'TbPrgRw0001', 'weekly', 'hmis_tracker_tb'),
        ('maternal_death_audit', 'Maternal death audit', 'hmis_tracker', 'MdaPrgRw001', 'monthly', 'hmis_tracker_maternal_death_audit'),
        ('perinatal_death_audit', 'Perinatal death audit', 'hmis_tracker', 'PdaPrgRw001', 'monthly', 'hmis_tracker_perinatal_death_audit'),
        ('child_death_audit', 'Child death audit', 'hmis_tracker', 'CdaPrgRw001', 'monthly', 'hmis_tracker_child_death_audit'),
        ('crvs', 'Civil registration of births and deaths', 'hmis_tracker', 'CrvPrgRw001', 'weekly', 'hmis_tracker_crvs'),
        ('birth_registration', 'Birth registration at the facility', 'hmis_tracker', 'BrgPrgRw001', 'weekly', 'hmis_tracker_birth_registration'),
        ('hiv', 'HIV care and treatment', 'hiv_tracker', 'HivPrgRw001', 'weekly', 'hiv_tracker'),
        ('immunization', 'Routine immunization', 'immunization_tracker', 'ImmPrgRw001', 'weekly', 'immunization_tracker'),
        ('cancer', 'Cancer registry', 'cancer_registry', 'rx6V962E4XM', 'monthly', 'cancer_registry')
) as declared (programme, title, system, program_uid, cadence, tables)
