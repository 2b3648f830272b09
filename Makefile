# Everything runs in .venv, which the first target makes. `make help` lists the targets.

VENV := .venv
BIN := $(VENV)/bin
NEONATE := $(BIN)/neonate
STAMP := $(VENV)/.installed
PYTHON ?= python3
JOBS ?= 1
WORKERS ?= 2

# One thread per process: the networks are small, and CPU seconds are to be comparable.
export OMP_NUM_THREADS := 1

.PHONY: help setup demo test lint results adapted tables report evidence evidence-results
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

setup: $(STAMP)  ## make the environment .venv from requirements.lock

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	@echo "Installing what requirements.lock names (minutes) ..."
	$(BIN)/python -m pip install -qq -r requirements.lock
	$(BIN)/python -m pip install -qq --no-deps -e .
	touch $@

test: lint  ## lint and test everything but what takes minutes
	$(BIN)/python -m pytest -n $(WORKERS)

lint: setup  ## ruff, its formatter and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

DEMO := runs/demo

demo: setup  ## learn to reach, compare with Stable-Baselines3, film it (minutes)
	rm -rf $(DEMO)
	$(NEONATE) evaluate --env Reacher-v5 --algos brain sac ppo pd random \
	    --steps brain=300 sac=3000 ppo=15000 1 --seeds brain=3 1 \
	    --eval-every brain=75 sac=1000 ppo=5000 1 --eval-episodes 20 --out $(DEMO)/reacher
	$(NEONATE) train --env neonate/Reach3D-v0 --algo brain --steps 2000 --out $(DEMO)/reach3d
	$(NEONATE) render $(DEMO)/reach3d --episodes 3 --width 960 --height 540 \
	    --out $(DEMO)/reach3d.mp4
	$(NEONATE) report $(DEMO)
	@echo
	@echo "Everything, one page: $(DEMO)/report.html"
	@echo "Learning curves:     $(DEMO)/reacher/curves.png"
	@echo "The arm that learnt: $(DEMO)/reach3d.mp4"

# ---- What is in results/. A finished run is kept: after an interruption this goes on. ----------

SCORED := --first-seed 100 --eval-seed 20000 --eval-episodes 50 --jobs $(JOBS) --resume
CRAWLED := --first-seed 100 --eval-seed 20000 --eval-episodes 20 --jobs $(JOBS) --resume
MAZES := $(NEONATE) mazes --first-seed 180 --eval-seed 29000 --out results/mazes
ANT_MAZE := $(NEONATE) mazes --first-seed 155 --eval-seed 46000 --out results/ant_maze
CRAWL_LESIONS := intact heading habit body_schema
SWIM_LESIONS := intact critic heading
LESIONS := intact body_schema cerebellum granule_cells fast_state visual_correction \
    basal_ganglia critic spinal_cord

PRACTISED := runs/practised
ADAPTED := --env neonate/Reach-v0 --first-seed 130 --practised $(PRACTISED) --resume

# One brain without one of its parts: $(1) environment, $(2) folder, $(3) steps, $(4) lesion,
# $(5) steps between evaluations, $(6) seeds and how they are scored.
define lesioned
	$(NEONATE) evaluate --env $(1) --algos brain --steps $(3) --eval-every $(5) --seeds $(6) \
	    --out results/lesions/$(2)-$(4)$(if $(filter-out intact,$(4)), --brain.lesions $(4))

endef

results: setup results/benchmark.json  ## measure everything in results/ (many hours)
	$(NEONATE) evaluate --env Reacher-v5 --algos brain sac tqc ppo pd random \
	    --steps brain=300 sac=30000 tqc=30000 ppo=300000 1 \
	    --eval-every brain=75 sac=1500 tqc=1500 ppo=15000 1 \
	    --seeds brain=10 3 $(SCORED) --out results/reacher
	$(NEONATE) evaluate --env neonate/Reach-v0 --algos brain sac tqc ppo pd random \
	    --steps brain=1500 sac=8000 tqc=8000 ppo=80000 1 \
	    --eval-every brain=300 sac=2000 tqc=2000 ppo=20000 1 \
	    --seeds brain=10 3 $(SCORED) --out results/reach
	$(NEONATE) evaluate --env neonate/Reach3D-v0 --algos brain sac tqc ppo pd random \
	    --steps brain=10000 sac=12000 tqc=12000 ppo=120000 1 \
	    --eval-every brain=2000 sac=2000 tqc=2000 ppo=20000 1 \
	    --seeds brain=5 3 $(SCORED) --out results/reach3d
	$(NEONATE) evaluate --env neonate/Reach3D-v0 --algos brain --steps 10000 --eval-every 2000 \
	    --n-envs 4 --seeds 5 $(SCORED) --out results/reach3d_four
	$(NEONATE) evaluate --env Ant-v5 --algos brain sac ppo oscillator random \
	    --steps brain=300000 sac=50000 ppo=300000 oscillator=100000 1 \
	    --eval-every brain=50000 sac=10000 ppo=100000 oscillator=50000 1 \
	    --seeds brain=5 sac=2 3 $(CRAWLED) --out results/ant
	$(NEONATE) evaluate --env Ant-v5 --algos brain --steps 100000 --eval-every 50000 \
	    --n-envs 8 --seeds 5 $(CRAWLED) --out results/ant_eight
	$(NEONATE) evaluate --env HalfCheetah-v5 --algos brain --steps 100000 --eval-every 50000 \
	    --n-envs 8 --seeds 5 $(CRAWLED) --out results/halfcheetah_eight
	$(NEONATE) evaluate --env Swimmer-v5 --algos brain --steps 150000 --eval-every 50000 \
	    --n-envs 8 --seeds 5 $(CRAWLED) --out results/swimmer_eight
	$(NEONATE) evaluate --env HalfCheetah-v5 --algos brain ppo random \
	    --steps brain=300000 ppo=100000 1 --eval-every 50000 \
	    --seeds brain=5 ppo=2 3 $(CRAWLED) --out results/halfcheetah
	$(NEONATE) evaluate --env HalfCheetah-v5 --algos brain --steps 100000 --eval-every 25000 \
	    --seeds 5 $(CRAWLED) --brain.residual.after 10000 --out results/halfcheetah_residual
	$(NEONATE) evaluate --env HalfCheetah-v5 --algos brain --steps 100000 --eval-every 25000 \
	    --seeds 3 $(CRAWLED) --brain.residual.after 1 --brain.residual.plain \
	    --brain.residual.most 1.0 --out results/halfcheetah_plain
	$(NEONATE) evaluate --env Swimmer-v5 --algos brain ppo oscillator random \
	    --steps brain=150000 ppo=300000 oscillator=150000 1 \
	    --eval-every brain=50000 ppo=100000 oscillator=50000 1 \
	    --seeds brain=5 3 $(CRAWLED) --out results/swimmer
	$(NEONATE) evaluate --env neonate/Crawl-v0 --algos brain ppo sac oscillator random \
	    --steps brain=50000 ppo=200000 sac=100000 oscillator=50000 1 \
	    --eval-every brain=25000 ppo=100000 sac=50000 oscillator=25000 1 \
	    --seeds brain=5 ppo=2 sac=1 3 $(CRAWLED) --out results/crawl
	$(NEONATE) evaluate --env neonate/Crawl-v0 --algos brain --steps 50000 --eval-every 25000 \
	    --seeds 3 $(CRAWLED) --brain.residual.after 10000 --out results/crawl_residual
	$(NEONATE) evaluate --env neonate/CrawlTo-v0 --algos brain --steps 40000 --eval-every 20000 \
	    --seeds 5 --first-seed 470 --eval-seed 20000 --eval-episodes 20 --jobs $(JOBS) --resume \
	    --out results/crawl_to
	$(NEONATE) evaluate --env neonate/AntTo-v0 --algos brain --steps 60000 --eval-every 30000 \
	    --seeds 5 --first-seed 470 --eval-seed 20000 --eval-episodes 20 --jobs $(JOBS) --resume \
	    --out results/ant_to
	$(NEONATE) evaluate --env neonate/CrawlMaze-v0 --algos brain --steps 100000 \
	    --eval-every 50000 --seeds 5 --first-seed 470 --eval-seed 27400 --eval-episodes 20 \
	    --jobs $(JOBS) --resume --out results/crawl_maze
	$(NEONATE) evaluate --env neonate/CrawlMaze-v0 --algos brain --steps 50000 \
	    --eval-every 50000 --seeds 2 --first-seed 400 --eval-seed 22000 --eval-episodes 20 \
	    --jobs $(JOBS) --resume --brain.lesions hippocampus --out results/crawl_maze_straight
	$(MAZES) --env PointMaze_UMaze-v3 --steps 500 1000
	$(MAZES) --env PointMaze_Medium-v3 --steps 3000 5000
	$(MAZES) --env PointMaze_Large-v3 --steps 8000
	$(MAZES) --env PointMaze_UMaze-v3 --steps 1000 --seeds 3 --lesion hippocampus
	$(NEONATE) mazes --first-seed 600 --eval-seed 29000 --out results/mazes \
	    --experiment goals --env PointMaze_UMaze-v3 --steps 2000 --seeds 15
	$(MAZES) --experiment goals --env PointMaze_UMaze-v3 --steps 2000 --seeds 1 \
	    --lesion prefrontal
	$(MAZES) --experiment door --env ladder comb eight --steps 4000
	$(MAZES) --experiment dark --env PointMaze_UMaze-v3 --steps 2000
	$(MAZES) --experiment dark --env PointMaze_UMaze-v3 --steps 2000 --seeds 3 --lesion grid
	$(MAZES) --env PointMaze_UMaze-v3 PointMaze_Medium-v3 PointMaze_Large-v3 \
	    --algo random --steps 1 --seeds 3
	$(MAZES) --env PointMaze_UMaze-v3 PointMaze_Medium-v3 PointMaze_Large-v3 \
	    --algo sac --steps 10000 --seeds 1
	$(MAZES) --env PointMaze_UMaze-v3 PointMaze_Medium-v3 PointMaze_Large-v3 \
	    --algo tqc --steps 10000 --seeds 1
	$(ANT_MAZE) --env AntMaze_UMaze-v5 --steps 50000 100000 200000 300000 --seeds 5
	$(ANT_MAZE) --env AntMaze_UMaze-v5 --steps 50000 100000 --seeds 5 --lesion amygdala
	$(ANT_MAZE) --env AntMaze_Open-v5 AntMaze_Medium-v5 --steps 100000 --seeds 3
	$(ANT_MAZE) --env AntMaze_UMaze-v5 AntMaze_Open-v5 AntMaze_Medium-v5 \
	    --algo random --steps 1 --seeds 3
	$(NEONATE) keys --first-seed 280 --out results/keys --parts chunks
	$(NEONATE) keys --first-seed 280 --out results/keys --parts arm --arm-trials 60
	$(NEONATE) keys --first-seed 240 --out results/keys --parts places
	$(NEONATE) keys --first-seed 220 --out results/keys --parts dopamine
	$(NEONATE) keys --first-seed 210 --out results/keys --parts delay
	$(NEONATE) keys --first-seed 220 --out results/keys --parts lesion
	$(NEONATE) keys --first-seed 200 --out results/keys --parts search
	$(NEONATE) keys --first-seed 220 --out results/keys --parts sb3 --sb3-steps 4000
	$(NEONATE) keys --first-seed 200 --out results/keys --parts actors
	$(NEONATE) keys --first-seed 270 --out results/keys --parts habits
	$(foreach lesion,$(LESIONS),$(call lesioned,neonate/Reach3D-v0,reach3d,2000,$(lesion),1000,3 $(SCORED)))
	$(foreach lesion,$(CRAWL_LESIONS),$(call lesioned,Ant-v5,ant,50000,$(lesion),50000,5 $(CRAWLED)))
	$(foreach lesion,$(SWIM_LESIONS),$(call lesioned,Swimmer-v5,swimmer,50000,$(lesion),50000,5 $(CRAWLED)))
	$(MAKE) adapted
	$(MAKE) evidence-results
	$(MAKE) tables evidence

# ---- What is in docs/evidence.md. Agents are trained once, and kept in runs/. -----------------

EVIDENCE := --first-seed 100 --resume
BATTERY := --first-seed 110 --resume --eval-episodes 6 --seeds brain=3 1

evidence-results: setup results/videos/brain.gif  ## measure lesions, disturbances and survival again (hours)
	$(NEONATE) lesion --env neonate/Reach3D-v0 --regions all --steps 2000 --seeds 3 \
	    --eval-episodes 20 $(EVIDENCE) --out results/lesion/reach3d
	$(NEONATE) lesion --env neonate/Reach3D-v0 --regions granule_cells basal_ganglia critic \
	    --steps 2000 --seeds 8 --first-seed 110 --eval-episodes 20 --resume \
	    --out results/lesion/reach3d_more
	$(NEONATE) lesion --env neonate/CrawlTo-v0 --steps 40000 --seeds 3 --eval-episodes 20 \
	    --regions heading habit critic body_schema $(EVIDENCE) \
	    --out results/lesion/crawl_to
	$(NEONATE) lesion --env neonate/AntTo-v0 --steps 60000 --seeds 5 --first-seed 300 \
	    --eval-seed 21000 --eval-episodes 20 --regions amygdala --resume \
	    --out results/lesion/ant_to
	$(NEONATE) robustness --env HalfCheetah-v5 --algos brain ppo oscillator \
	    --steps ppo=100000 50000 $(BATTERY) --agents runs/halfcheetah \
	    --out results/robustness/halfcheetah
	$(NEONATE) robustness --env Ant-v5 --algos brain ppo oscillator --steps ppo=300000 50000 \
	    $(BATTERY) --agents runs/ant --out results/robustness/ant
	$(NEONATE) robustness --env Swimmer-v5 --algos brain ppo oscillator \
	    --steps ppo=300000 50000 $(BATTERY) --agents runs/swimmer --out results/robustness/swimmer
	$(NEONATE) robustness --env neonate/CrawlTo-v0 --algos brain --steps 40000 --seeds 3 \
	    --disturbances dead --learn-on 20000 --eval-episodes 20 $(EVIDENCE) \
	    --agents runs/crawler --out results/robustness/crawler
	$(NEONATE) survival --mutations 10000 --out results/survival
	$(NEONATE) survival --kills 25 --kill-steps 4000 --kill-checkpoint 500 --out results/survival
	$(NEONATE) survival --steps 1000000 --bodies 8 --seed 100 \
	    --envs neonate/Reach-v0 neonate/Crawl-v0 Swimmer-v5 --out results/survival
	$(BIN)/python -m scripts.batch_account --out results/batch.json

results/videos/brain.gif: | setup
	$(NEONATE) train --env neonate/Reach3D-v0 --steps 2000 --seed 100 --out runs/reach3d-filmed
	$(NEONATE) render runs/reach3d-filmed --brain --episodes 2 --speed 0.4 --width 640 \
	    --height 360 --out $@

evidence: setup  ## write docs/evidence.md from results/
	$(BIN)/python -m scripts.evidence

adapted: setup  ## measure motor adaptation, what is in results/adapt/
	rm -rf $(PRACTISED)
	$(NEONATE) adapt $(ADAPTED) --protocol standard --settings human --seeds 10 \
	    --out results/adapt/rotation
	$(NEONATE) adapt $(ADAPTED) --protocol learning --settings default --seeds 10 \
	    --out results/adapt/quickest
	$(NEONATE) adapt $(ADAPTED) --perturbation curl --protocol force --settings default \
	    --seeds 10 --out results/adapt/curl
	$(NEONATE) adapt $(ADAPTED) --perturbation delay --protocol delay --settings default \
	    --delays 100 --forward-model 1 --seeds 10 --out results/adapt/delay-100
	$(NEONATE) adapt $(ADAPTED) --degrees 45 --protocol strategy --settings strategy --seeds 10 \
	    --out results/adapt/strategy
	$(NEONATE) adapt $(ADAPTED) --protocol steady --settings default --seeds 3 \
	    --motor-noise 0.02 --out results/adapt/noise-2
	$(NEONATE) adapt $(ADAPTED) --protocol steady --settings default --seeds 3 \
	    --motor-noise 0.05 --out results/adapt/noise-5
	$(NEONATE) adapt $(ADAPTED) --perturbation delay --protocol delay --settings default \
	    --seeds 5 --out results/adapt/delay
	$(NEONATE) adapt $(ADAPTED) --protocol relearning --settings human --seeds 10 \
	    --out results/adapt/relearning
	$(NEONATE) adapt $(ADAPTED) --protocol relearning --settings human --seeds 10 \
	    --brain.lesions error_memory --out results/adapt/without-error-memory
	$(NEONATE) adapt $(ADAPTED) --protocol learning --settings human --seeds 10 \
	    --brain.lesions adaptation --out results/adapt/without-adaptation
	$(NEONATE) adapt $(ADAPTED) --degrees 45 --protocol strategy --settings strategy --seeds 10 \
	    --brain.lesions basal_ganglia --out results/adapt/without-basal-ganglia
	$(NEONATE) adapt --env Ant-v5 --first-seed 130 --resume --perturbation weak --protocol crawl \
	    --settings default --seeds 5 --life 30000 --out results/adapt/weak-leg
	$(NEONATE) adapt --env Ant-v5 --first-seed 130 --resume --perturbation weak --protocol crawl \
	    --settings default --seeds 5 --life 30000 --brain.lesions cerebellum \
	    --out results/adapt/weak-leg-without-cerebellum
	$(NEONATE) adapt $(ADAPTED) --protocol rivals --settings default --algos brain sac --seeds 3 \
	    --rival-practice 400 --out results/adapt/rivals

results/benchmark.json: | setup
	$(NEONATE) benchmark --steps 1000 --calls 100 --repeats 3 --out $@

tables: setup  ## write the tables of README.md from results/
	$(BIN)/python -m scripts.tables

report: setup  ## write runs/report.html: everything in results/ on one page
	$(NEONATE) report results --out runs/report.html --overwrite
