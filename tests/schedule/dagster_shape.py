"""Started by Dagster's own Python: the assets, and what each exit code becomes, as JSON.

dagster_shape.py DEFINITIONS.PY FOLDER, where FOLDER/clv-sync leaves with the code of FOLDER/code
"""

import importlib.util
import json
import sys
from pathlib import Path

import dagster as dg

spec = importlib.util.spec_from_file_location("dagster_definitions", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
folder = Path(sys.argv[2])
module.CLV_SYNC, module.FOLDER = str(folder / "clv-sync"), str(folder)

codes = {}
for code in (0, 1, 3, 11, 12, 14, 16):
    (folder / "code").write_text(str(code))
    ended = dg.materialize([module.assets[0]], raise_on_error=False)
    made = len(ended.asset_materializations_for_node("clv_eu"))
    codes[code] = ("success" if made else "skipped") if ended.success else "failure"
(folder / "code").write_text("13")
try:
    list(module.assets[0](dg.build_asset_context()))
except dg.RetryRequested as again:
    codes[13] = f"retry {again.max_retries}"
told = {
    "assets": sorted(key.to_user_string() for key in module.defs.resolve_all_asset_keys()),
    "schedules": {one.name: one.cron_schedule for one in module.defs.schedules},
    "executor": module.defs.resolve_job_def("clv_sync").executor_def.name,
    "codes": codes,
}
sys.stdout.write(json.dumps(told) + "\n")
