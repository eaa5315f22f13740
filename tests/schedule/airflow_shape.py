"""Started by Airflow's own Python: the DAG's shape, and what each exit code becomes, as JSON.

airflow_shape.py DAG.PY FOLDER, where FOLDER/clv-sync leaves with the code that FOLDER/code holds
"""

import importlib.util
import json
import sys
from pathlib import Path

spec = importlib.util.spec_from_file_location("airflow_dag", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
folder = Path(sys.argv[2])
module.CLV_SYNC, module.FOLDER = str(folder / "clv-sync"), str(folder)

codes = {}
for code in (0, 1, 3, 11, 12, 13, 14, 16):
    (folder / "code").write_text(str(code))
    try:
        module.sync.function("eu")
        codes[code] = "success"
    except Exception as error:
        codes[code] = type(error).__name__
dag = module.clv_sync()
told = {
    "dag": dag.dag_id,
    "at_a_time": [dag.max_active_runs, dag.max_active_tasks],
    "tasks": {task.task_id: task.retries for task in dag.tasks},
    "codes": codes,
}
sys.stdout.write(json.dumps(told) + "\n")
