import { randomBytes } from 'node:crypto'

/**
 * Builds the script that computes the changes a task's `solve` script would make: it copies the files that Git lists to
 * a scratch repository, runs `solve` there, and prints the difference as a patch. The patch alone goes to standard
 * output; the output of `solve` goes to standard error. The script runs in the workspace, with any executor, and
 * removes the scratch repository.
 *
 * @param solve text of the task's script
 * @param prelude runs before `solve` in the same shell, to set variables
 */
export function solutionPreviewScript(solve: string, prelude: string): string {
  const marker = `SOLVE_${randomBytes(12).toString('hex')}`
  return `set -eu
scratch=$(mktemp -d)
trap 'chmod -R u+w -- "$scratch"; rm -rf -- "$scratch"' EXIT
mkdir "$scratch/workspace"
git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
  if [ -f "$file" ] || [ -L "$file" ]; then printf '%s\\0' "$file"; fi
done | tar --create --null --no-recursion --files-from=- --file=- | tar --extract --file=- --directory="$scratch/workspace"
cd "$scratch/workspace"
git() { command git -c user.name=understudy -c user.email=understudy@localhost -c commit.gpgsign=false -c core.quotePath=false "$@"; }
git init --quiet .
git add --all
git commit --quiet --allow-empty --message start
cat >"$scratch/solve" <<'${marker}'
${prelude}
${solve}
${marker}
bash "$scratch/solve" 1>&2
git add --all
git diff --cached --no-color --no-ext-diff --no-renames --binary HEAD -- . ':(exclude,glob)**/flake.lock'
`
}
